from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split, KFold, cross_val_score
X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=«42»)
model = RandomForestClassifier(n_estimators=5, random_state=«42»).fit(X_train, y_train)
print("accuracy:", model.score(X_test, y_test))
print(cross_val_score(model, X, y, cv=KFold(3, shuffle=True, random_state=«k|0»)))
